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
  powerReturned: 'Прибор оставался без питания, и выходы уже не те, что были. Что считать верным?',
  powerDifference: '{name}: было {before}, стало {now}',
  powerKeepDevice: 'Как сейчас',
  powerKeepGolem: 'Как было',
  powerKeepSafe: 'Безопасные значения',
  powerReturnFailed: 'Решение не принято: {message}',
  worstCases: 'Сколько выходы могут оставаться в нежелательном состоянии',
  interlockWaits: 'Блокировка «{name}» ещё не знает всего, за чем следит: {message}',
}
