import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Value } from '@golem/core'
import { link, loadRecipes, type Plan, planRun, type PlantModel, SHIPPED_RECIPES } from '@golem/recipes'
import { type ChamberDrive, chamberLike, DEFAULT_ROOM, idleDrive, stepChamber } from '@golem/simulator'

/** What is read of the chamber, each second. */
interface Course {
  temperature: number[]
  co2: number[]
}

/** The simulated chamber, in virtual time, behind the names that the recipes have for its instruments. */
function chamber(daylight: number): { model: PlantModel; course: Course } {
  const drive: ChamberDrive = { ...idleDrive(), lamp: [daylight, daylight, 0, 0] }
  const writes: Readonly<Record<string, (value: Value) => void>> = {
    'co2-board.relay2': (on) => void (drive.gasPump = on === true),
    'co2-board.relay3': (on) => void (drive.gasValve = on === true),
    'control-lamp.white': (duty) => void (drive.lamp = [0, 0, Number(duty), Number(duty)]),
  }
  const course: Course = { temperature: [], co2: [] }
  let state = chamberLike(DEFAULT_ROOM)
  let seconds = 0
  const advance = (ms: number): void => {
    for (; seconds < Math.floor(ms / 1000); seconds += 1) {
      state = stepChamber(state, drive, DEFAULT_ROOM, 1)
      course.temperature.push(state.sensedTemperature)
      course.co2.push(state.co2)
    }
  }
  const model: PlantModel = {
    read(key, ms) {
      advance(ms)
      if (key === 'co2.co2') return state.co2
      return key === 'control-board.internalTemperature' ? state.sensedTemperature : undefined
    },
    write(key, value, ms) {
      advance(ms)
      writes[key]?.(value)
    },
  }
  return { model, course }
}

function played(recipe: string, parameters: Record<string, unknown>, daylight = 0): Course & { plan: Plan } {
  const { recipes } = loadRecipes([SHIPPED_RECIPES])
  const found = recipes.get(recipe)
  assert.ok(found)
  const { program } = link(found, { recipes })
  assert.ok(program)
  const { model, course } = chamber(daylight)
  const plan = planRun(program, { parameters, model, startMs: Date.parse('2026-03-01T08:00:00Z') })
  assert.equal(plan.end, 'completed', plan.message)
  return { ...course, plan }
}

test('temperature by PID: the coefficients that ship hold the simulated chamber within 0.1 K', () => {
  const { temperature, plan } = played('pid-temperature', { setpoint: 25, duration: '2 h' })
  const settled = temperature.slice(3_600)
  assert.ok(settled.length > 3_000)
  assert.ok(
    settled.every((value) => Math.abs(value - 25) < 0.1),
    `${Math.min(...settled)} to ${Math.max(...settled)}`,
  )
  assert.ok(Math.max(...temperature) < 25.6, `at most ${Math.max(...temperature)}`)
  const last = plan.entries.findLast(({ kind }) => kind === 'command')
  assert.equal(last?.what, 'control-lamp.white = 0')
})

test('CO2 between two limits: plants take it up, the valve brings it back', () => {
  const { co2, plan } = played('co2-hysteresis', { low: 800, high: 900, duration: '4 h' }, 80)
  const held = co2.slice(600)
  assert.ok(Math.min(...held) > 790, `at least ${Math.min(...held)}`)
  assert.ok(Math.max(...held) < 915, `at most ${Math.max(...held)}`)
  const opened = plan.entries.filter(({ what }) => what === 'co2-board.relay3 = true').length
  assert.ok(opened > 10 && opened < 200, `opened ${opened} times`)
})
