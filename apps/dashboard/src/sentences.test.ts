import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ERRORS } from '@golem/core'
import { RU_CODES } from './i18n/ru-codes.ts'
import { RU_SENTENCES } from './i18n/ru-sentences.ts'
import { inWords } from './sentences.ts'

/** Where the sentences are written. */
const WRITERS = [
  'packages/alarms',
  'packages/archive',
  'packages/core',
  'packages/queue',
  'packages/recipes',
  'packages/transports',
  'apps/archiver',
  'apps/scheduler',
  'apps/web',
  'apps/worker',
]

function root(): string {
  let folder = import.meta.dirname
  while (!readdirSync(folder).includes('ARCHITECTURE.md')) folder = dirname(folder)
  return folder
}

function sources(): string {
  return WRITERS.flatMap((writer) => {
    const folder = join(root(), writer, 'src')
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
  }).join('\n')
}

test('each sentence with a Russian form is one that golem writes', () => {
  const written = sources()
  const gone = RU_SENTENCES.flatMap(([en]) =>
    en
      .split(/\{\*?\w+\}/)
      // Where one literal ends and the next begins, a blank or a sign may stand in either of them.
      .map((part) => part.replace(/^[\s,.:;()]+|[\s,.:;()"]+$/g, ''))
      .filter((part) => part.length > 3 && !written.includes(part))
      .map((part) => `${en}: "${part}"`),
  )
  assert.deepEqual(gone, [])
})

test('the Russian form fills the same places, and no two English ones are equal', () => {
  const places = (text: string): string[] =>
    [...text.matchAll(/\{\*?\w+\}/g)].map(([place]) => place).toSorted()
  for (const [en, ru] of RU_SENTENCES) {
    const missing = places(ru).filter((place) => !places(en).includes(place))
    assert.deepEqual(missing, [], en)
    assert.equal(new Set(places(en)).size, places(en).length, `${en}: a place twice`)
  }
  assert.equal(new Set(RU_SENTENCES.map(([en]) => en)).size, RU_SENTENCES.length)
})

test('each code has a Russian title', () => {
  assert.deepEqual(Object.keys(RU_CODES).toSorted(), Object.keys(ERRORS).toSorted())
})

const SAID: readonly (readonly [string, string])[] = [
  ['Stage 2 of 2: ventilation.', 'Этап 2 из 2: ventilation.'],
  ['Paused by anna.', 'Пауза: anna.'],
  ['Stopped by anna. It had not begun.', 'Остановлен по порядку: anna. Запуск ещё не начинался.'],
  ['wait until co2.co2 below 450 for 10 s', 'ждёт, пока co2.co2 below 450 for 10 s'],
  ['first fan: set exp-board.relay0 = true', 'first fan: задаёт exp-board.relay0 = true'],
  ['the valves open: wait 5 s', 'the valves open: ждёт 5 s'],
  [
    'Interrupted for 12 s (the scheduler that stepped it was gone). Resume, stop or abort it?',
    'Запуск прерывался на 12 s (планировщика, который его вёл, не стало). Продолжить, остановить или прервать?',
  ],
  [
    'Interrupted for 3 s (Redis was started anew and has lost a command); the step it was at wants it held then.',
    'Запуск прерывался на 3 s (Redis перезапущен и потерял команду): по рецепту на этом шаге тогда ставится пауза.',
  ],
  [
    'co2-board: relay3 = true was refused: The interlock "co2-gas" does not allow it: co2.co2 is not known: it was read 7.2 s ago.',
    'co2-board: relay3 = true: отклонено. Не позволяет блокировка «co2-gas»: co2.co2: неизвестно, прочитано 7.2 с назад.',
  ],
  [
    'Run ventilation-3 of Ventilation has failed: It was not over within 5 min.',
    'Запуск ventilation-3 (Ventilation) не удался: Шаг не закончился за 5 min.',
  ],
  ['CO2 analyser: co2 is 1612 ppm, above 1500 ppm.', 'CO2 analyser: co2: 1612 ppm, выше 1500 ppm.'],
  [
    'co2.lost active, warning: CO2 analyser is lost. No worker has it.',
    'co2.lost: тревога (внимание). CO2 analyser: нет связи. Им не занят ни один исполнитель.',
  ],
  [
    'Lamp is lost. The last 4 polls failed: The instrument at serial:/dev/x could not be identified: "M" on serial:/dev/x: no answer within 3000 ms.',
    'Lamp: нет связи. Последние опросы (4): неудача. прибор по адресу serial:/dev/x не удалось опознать: "M" on serial:/dev/x: нет ответа за 3000 мс.',
  ],
  ['every 10 min from the top of the hour', 'каждые 10 min от начала часа'],
  ['every 1 h from 5 min after the top of the hour', 'каждые 1 h от начала часа плюс 5 min'],
  ['Its run v-1 was still going on.', 'Ещё шёл запуск v-1.'],
  ['run v-1: Paused by anna.', 'запуск v-1: Пауза: anna.'],
]

test('sentences are said in Russian, with those within them, and left as they are in English', () => {
  for (const [en, ru] of SAID) {
    assert.equal(inWords('ru', en), ru)
    assert.equal(inWords('en', en), en)
  }
})

test('what is not known is shown as it came, after the title of its code', () => {
  assert.equal(inWords('ru', 'The gate is stuck.'), 'The gate is stuck.')
  assert.equal(
    inWords('ru', 'The gate is stuck.', 'INSTRUMENT_REFUSED'),
    'Прибор отказался: The gate is stuck.',
  )
  assert.equal(inWords('ru', '', 'STOPPED'), 'Действует аварийная остановка.')
  assert.equal(inWords('ru', 'The gate is stuck.', 'HTTP_502'), 'The gate is stuck.')
  assert.equal(inWords('ru', 'The gate is stuck. It has ended.'), 'The gate is stuck. Запуск завершён.')
})

test('a text of a device that is long or tries to be a pattern costs no time', () => {
  const began = performance.now()
  for (const text of [
    '. A'.repeat(300),
    'Run of of of of : '.repeat(50),
    '; '.repeat(499),
    'x'.repeat(1_000_000),
  ]) {
    assert.equal(typeof inWords('ru', text), 'string')
  }
  assert.ok(performance.now() - began < 2000)
})
