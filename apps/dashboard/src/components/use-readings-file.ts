import { useState } from 'preact/hooks'
import { Problem, Unreachable } from '../api.ts'
import { saveReadings } from '../plots/export-file.ts'
import { usePage } from './page-context.ts'

/** Saves readings as a file; `fault`: why it could not be begun. */
export function useReadingsFile(): {
  save: (series: readonly string[], span: { from: number; to: number }) => Promise<void>
  fault: string
} {
  const { api } = usePage()
  const [fault, setFault] = useState('')
  const save = async (series: readonly string[], span: { from: number; to: number }): Promise<void> => {
    try {
      setFault('')
      await saveReadings(api, series, span)
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error
      setFault(error.message)
    }
  }
  return { save, fault }
}
