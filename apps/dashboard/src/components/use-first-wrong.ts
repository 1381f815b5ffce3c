import { useEffect } from 'preact/hooks'

/** Takes people to the first field of the open dialog that can't be taken so: on a phone it may be out of sight. */
export function useFirstWrong(wrongs: Readonly<Record<string, string>>): void {
  useEffect(() => {
    if (Object.keys(wrongs).length === 0) return
    document.querySelector<HTMLElement>('dialog[open] [aria-invalid="true"]')?.focus()
  }, [wrongs])
}
