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
  powerReturned: 'It was without power, and outputs are no longer as they were. Which values win?',
  powerDifference: '{name}: was {before}, is {now}',
  powerKeepDevice: 'As it is now',
  powerKeepGolem: 'As it was',
  powerKeepSafe: 'Safe values',
  powerReturnFailed: 'The decision was not taken over: {message}',
  worstCases: 'How long outputs may stay as nobody wants them',
  interlockWaits: 'Interlock "{name}" has not heard of all it watches yet: {message}',
} as const
