import type { EN_INTERLOCKS } from './en-interlocks.ts'

/** Interlocks, in Russian. */
export const RU_INTERLOCKS: Record<keyof typeof EN_INTERLOCKS, string> = {
  interlockTripped:
    'Блокировка «{name}» сработала в {since}: её выходы удерживаются, пока человек её не сбросит.',
  interlockReset: 'Сбросить…',
  interlockResetLabel: 'Сбросить блокировку {name}',
  interlockResetTitle: 'Сбросить блокировку?',
  interlockResetText:
    'Выходы останутся как есть: ничего снова не включится. Пока причина не устранена, сбросить нельзя.',
  interlockResetNote: 'Примечание: что нашли и что сделали',
  interlockResetConfirm: 'Сбросить',
  interlockResetFailed: 'Блокировка не сброшена: {message}',
  interlockRefuses: 'Блокировка «{name}» не разрешает {names}: {message}',
  interlockHolds: 'Блокировка «{name}» удерживает {names}: {message}',
  interlockWaits: 'Блокировка «{name}» ещё не знает всего, за чем следит: {message}',
}
