/** Interlocks, in English. */
export const EN_INTERLOCKS = {
  interlockTripped:
    'Interlock "{name}" has tripped at {since}: its outputs are held until a person resets it.',
  interlockReset: 'Reset…',
  interlockResetLabel: 'Reset the interlock {name}',
  interlockResetTitle: 'Reset the interlock?',
  interlockResetText:
    'Outputs stay as they are: nothing is switched on again by this. While its cause is there it can not be reset.',
  interlockResetNote: 'Note: what you found, and did about it',
  interlockResetConfirm: 'Reset',
  interlockResetFailed: 'The interlock was not reset: {message}',
  interlockRefuses: 'Interlock "{name}" does not allow {names}: {message}',
  interlockHolds: 'Interlock "{name}" holds {names}: {message}',
  interlockWaits: 'Interlock "{name}" has not heard of all it watches yet: {message}',
} as const
