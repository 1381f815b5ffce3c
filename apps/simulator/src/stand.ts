import { type Clock, GolemError } from '@golem/core'
import {
  CHAMBERS,
  type ChamberDrive,
  type ChamberName,
  type ChamberState,
  type ChamberTraits,
  chamberLike,
  DEFAULT_ROOM,
  DEFAULT_TRAITS,
  idleDrive,
  lightOf,
  relativeHumidity,
  type Room,
  stepChamber,
} from './chamber.ts'
import { type Random, seededRandom } from './random.ts'

/** Something a relay switches. */
export type Actuator =
  | `${ChamberName}.${'ventLeft' | 'ventRight' | 'valveLeft' | 'valveRight'}`
  | 'experiment.gasPump'
  | 'experiment.gasValve'

/** Something a sensor measures. */
export type Probe =
  | 'room.temperature'
  | 'room.humidity'
  | 'room.co2'
  | `${ChamberName}.${'temperature' | 'humidity' | 'rootsTemperature' | 'co2'}`

export interface StandOptions {
  room?: Partial<Room>
  /** Differences of the chambers from the usual one. */
  traits?: Partial<ChamberTraits>
  /** Where the experiment begins, per chamber; the rest is like the room. */
  start?: Partial<Record<ChamberName, Partial<ChamberState>>>
  /** false: sensors without noise. */
  noise?: boolean
}

/** Standard deviations of what sensors measure: °C, %, ppm. */
const NOISE = { temperature: 0.03, rootsTemperature: 0.02, humidity: 0.15, co2: 0.25 }

/** The longest step in which the chambers are advanced, s, and how many steps a long pause is worth. */
const STEP_SECONDS = 1
const MAX_STEPS = 3600

/**
 * The stand behind the devices. Nothing ticks: it is brought up to date when somebody looks or switches,
 * so that an idle simulator costs nothing.
 */
export class Stand {
  readonly #clock: Clock
  readonly #timeScale: number
  readonly #room: Room
  readonly #traits: ChamberTraits
  readonly #noisy: boolean
  readonly #random: Random
  readonly #chambers: Record<ChamberName, ChamberState>
  readonly #lamps: Record<ChamberName, readonly number[]>
  readonly #on = new Set<Actuator>()
  #advancedTo: number

  /**
   * @param clock - real time in ms; need not be absolute, must not go back
   * @param timeScale - how many times faster than life the chambers go
   */
  constructor(clock: Clock, timeScale: number, seed: number, options: StandOptions = {}) {
    if (!(timeScale > 0)) {
      throw new GolemError('CONFIG_INVALID', `timeScale has to be above 0, not ${timeScale}.`)
    }
    this.#clock = clock
    this.#timeScale = timeScale
    this.#room = { ...DEFAULT_ROOM, ...options.room }
    this.#traits = { ...DEFAULT_TRAITS, ...options.traits }
    this.#noisy = options.noise ?? true
    this.#random = seededRandom(seed)
    this.#chambers = {
      experiment: { ...chamberLike(this.#room), ...options.start?.experiment },
      control: { ...chamberLike(this.#room), ...options.start?.control },
    }
    this.#lamps = { experiment: [0, 0, 0, 0], control: [0, 0, 0, 0] }
    this.#advancedTo = clock.now()
  }

  /** Switches what hangs on a relay. */
  switch(actuator: Actuator, on: boolean): void {
    this.#advance()
    if (on) this.#on.add(actuator)
    else this.#on.delete(actuator)
  }

  isOn(actuator: Actuator): boolean {
    return this.#on.has(actuator)
  }

  /** Sets the light over a chamber: four duties in %. */
  light(chamber: ChamberName, duties: readonly number[]): void {
    this.#advance()
    this.#lamps[chamber] = [...duties]
  }

  /** What a sensor shows now: °C, % or ppm, with the lag of the sensor and its noise. */
  measure(probe: Probe): number {
    const [place, quantity] = probe.split('.') as [ChamberName | 'room', keyof typeof NOISE]
    const value = this.#sensed(place, quantity)
    return this.#noisy ? value + this.#random.normal(NOISE[quantity]) : value
  }

  /** Noise for devices that have some of their own. */
  get random(): Random {
    return this.#random
  }

  /** What is really so, for people who look behind the devices. */
  state(): Record<ChamberName, ChamberState & { light: number; drive: ChamberDrive }> & { room: Room } {
    this.#advance()
    const seen = (name: ChamberName) => ({
      ...this.#chambers[name],
      light: lightOf(this.#lamps[name]),
      drive: this.#drive(name),
    })
    return { room: this.#room, experiment: seen('experiment'), control: seen('control') }
  }

  #sensed(place: ChamberName | 'room', quantity: keyof typeof NOISE): number {
    if (place === 'room') {
      return quantity === 'rootsTemperature' ? this.#room.temperature : this.#room[quantity]
    }
    this.#advance()
    const chamber = this.#chambers[place]
    switch (quantity) {
      case 'co2':
        return chamber.co2
      case 'temperature':
        return chamber.sensedTemperature
      case 'rootsTemperature':
        return chamber.rootsTemperature
      case 'humidity':
        return relativeHumidity(chamber.sensedVapour, chamber.sensedTemperature)
    }
  }

  #drive(name: ChamberName): ChamberDrive {
    const count = (...actuators: Actuator[]): number => actuators.filter((each) => this.#on.has(each)).length
    return {
      ...idleDrive(),
      fans: count(`${name}.ventLeft`, `${name}.ventRight`),
      valves: count(`${name}.valveLeft`, `${name}.valveRight`),
      lamp: this.#lamps[name],
      gasValve: name === 'experiment' && this.#on.has('experiment.gasValve'),
      gasPump: name === 'experiment' && this.#on.has('experiment.gasPump'),
    }
  }

  #advance(): void {
    const now = this.#clock.now()
    const seconds = ((now - this.#advancedTo) / 1000) * this.#timeScale
    if (seconds <= 0) return
    this.#advancedTo = now
    const steps = Math.min(MAX_STEPS, Math.ceil(seconds / STEP_SECONDS))
    for (const name of CHAMBERS) {
      const drive = this.#drive(name)
      let chamber = this.#chambers[name]
      for (let step = 0; step < steps; step += 1) {
        chamber = stepChamber(chamber, drive, this.#room, seconds / steps, this.#traits)
      }
      this.#chambers[name] = chamber
    }
  }
}
