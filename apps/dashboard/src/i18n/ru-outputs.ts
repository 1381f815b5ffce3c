import type { EN_OUTPUTS } from './en-outputs.ts'

/** The same in Russian. */
export const RU_OUTPUTS: Record<keyof typeof EN_OUTPUTS, string> = {
  outputRules: 'Правила',
  outputOffBy: 'выключится не позже чем через {left}',
  outputOverdue: 'включён дольше, чем разрешено: golem его выключает',
  outputHeldOn: 'остаётся включённым ещё {left}',
  outputHeldOff: 'остаётся выключенным ещё {left}',
  outputUnknown: 'неизвестно, включён ли он',
  outputCounted: 'с {since}: {counted}',
  outputOn: 'включён {time}',
  outputCycles: 'включений: {count}',
  outputLitres: '{count} л',
  outputOf: '{counted} из {limit}',
  outputNear: 'Близко к пределу.',
  outputAtLimit: 'Предел достигнут: проведите обслуживание и сбросьте счётчик.',
  outputRefused: 'Предел достигнут: не включится, пока администратор не сбросит счётчик.',
  ruleMaxOn: 'Включён не дольше {time}; затем golem выключает его, даже когда Redis недоступен.',
  ruleMinOn: 'Остаётся включённым не менее {time}; аварийный останов выключает его и раньше.',
  ruleMinOff: 'Остаётся выключенным не менее {time}.',
  ruleSlew:
    'Меняется не более чем на {step} сразу и на {perSecond} в секунду; безопасное значение разрешено всегда.',
  ruleRearm:
    'Прибор сам выключает его через {time}, если golem его не поддерживает: в том числе когда golem, его машина или кабель не работают.',
  ruleDeath:
    'Пока его процесс-исполнитель не работает, он остаётся как есть: собственного аварийного отключения у него нет. Следующий исполнитель продолжает отсчёт.',
}
