/** The sentences of the rules of outputs in English; `{name}` places are filled in. */
export const EN_OUTPUTS = {
  outputRules: 'Rules',
  outputOffBy: 'off in {left} at the latest',
  outputOverdue: 'on for longer than it may be: golem is switching it off',
  outputHeldOn: 'stays on for another {left}',
  outputHeldOff: 'stays off for another {left}',
  outputUnknown: 'not known whether it is on',
  outputCounted: 'since {since}: {counted}',
  outputOn: 'on for {time}',
  outputCycles: 'cycles: {count}',
  outputLitres: '{count} l',
  outputOf: '{counted} of {limit}',
  outputNear: 'Near its limit.',
  outputAtLimit: 'At its limit: see to its maintenance, then reset the counter.',
  outputRefused: 'At its limit: it is not switched on until an admin resets the counter.',
  ruleMaxOn: 'On for {time} at most; then golem switches it off, also while Redis is away.',
  ruleMinOn: 'Stays on for {time} at least; the emergency stop switches it off all the same.',
  ruleMinOff: 'Stays off for {time} at least.',
  ruleSlew:
    'Changes by {step} at once and {perSecond} a second at most; its safe value may always be written.',
  ruleRearm:
    'Its instrument switches it off after {time} unless golem keeps it on: also when golem, its machine or the cable is dead.',
  ruleDeath:
    'It stays as it is while its worker is dead: no dead-man switch in it switches it off. The worker that takes over counts on from where the last one ended.',
} as const
