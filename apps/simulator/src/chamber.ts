/**
 * A growth stand as a small physical model: two chambers with plants, and the room around them.
 *
 * Pure: a state, what drives it, a time step, and the next state. Every quantity relaxes towards an
 * equilibrium with a rate, and is advanced by the exact solution of that, so that no time step is too long
 * to be stable. The rates are chosen for demonstrations: what a relay does shows within a minute.
 */

export type ChamberName = 'experiment' | 'control'

export const CHAMBERS: readonly ChamberName[] = ['experiment', 'control']

/** What drives one chamber. */
export interface ChamberDrive {
  /** Fans that run, 0 to 2. */
  fans: number
  /** Valves that are open, 0 to 2. */
  valves: number
  /** Duty of the four lamp channels, each 0 to 100 %. */
  lamp: readonly number[]
  /** The valve of the CO2 bottle is open. */
  gasValve: boolean
  /** The pump that carries the gas in runs. */
  gasPump: boolean
}

/** The air and the roots of one chamber. */
export interface ChamberState {
  /** ppm */
  co2: number
  /** °C */
  temperature: number
  /** Vapour pressure, mbar. */
  vapour: number
  /** °C */
  rootsTemperature: number
  /** What the sensors in the air have followed so far: °C, mbar. */
  sensedTemperature: number
  sensedVapour: number
}

/** The air around the chambers; it is large and stays as it is. */
export interface Room {
  /** ppm */
  co2: number
  /** °C */
  temperature: number
  /** Relative humidity, %. */
  humidity: number
}

/** What a chamber of this size does, all rates per second. */
export interface ChamberTraits {
  /** Uptake of CO2 at saturating light and plenty of CO2, ppm/s. */
  uptake: number
  /** Respiration, day and night, ppm/s. */
  respiration: number
  /** Light at which uptake is half of what it can be, µmol/m²/s. */
  halfLight: number
  /** CO2 at which uptake is half of what it can be, ppm. */
  halfCo2: number
  /** Air that leaks in through closed valves, share of the volume per second. */
  leak: number
  /** Air that passes two open valves without a fan, and what each fan adds with both valves open. */
  draught: number
  fan: number
  /** CO2 from the bottle with valve and pump, and with the valve alone, ppm/s. */
  injection: number
  seepage: number
  /** Warming by full light, K/s, and loss of heat through the walls. */
  lampHeat: number
  wallLoss: number
  /** Water given off by the plants in the dark and what full light adds, mbar/s. */
  transpirationDark: number
  transpirationLight: number
  /** Condensation and uptake by the substrate. */
  vapourLoss: number
  rootsRate: number
  sensorRate: number
}

export const DEFAULT_TRAITS: ChamberTraits = {
  uptake: 1.2,
  respiration: 0.12,
  halfLight: 220,
  halfCo2: 200,
  leak: 0.0003,
  draught: 0.002,
  fan: 0.02,
  injection: 6,
  seepage: 0.4,
  lampHeat: 0.014,
  wallLoss: 0.0014,
  transpirationDark: 0.002,
  transpirationLight: 0.01,
  vapourLoss: 0.0008,
  rootsRate: 1 / 1500,
  sensorRate: 1 / 6,
}

export const DEFAULT_ROOM: Room = { co2: 430, temperature: 22.5, humidity: 42 }

/** Light of a lamp with all four channels at 100 %, µmol/m²/s (clay_golem's stand: about 1130). */
const FULL_LIGHT = 1130

/** Everything off and shut. */
export function idleDrive(): ChamberDrive {
  return { fans: 0, valves: 0, lamp: [0, 0, 0, 0], gasValve: false, gasPump: false }
}

/** A chamber that has been standing open in this room. */
export function chamberLike(room: Room): ChamberState {
  const vapour = (room.humidity / 100) * saturation(room.temperature)
  return {
    co2: room.co2,
    temperature: room.temperature,
    vapour,
    rootsTemperature: room.temperature,
    sensedTemperature: room.temperature,
    sensedVapour: vapour,
  }
}

/** Light over the plants, µmol/m²/s, of a lamp with these four duties in %. */
export function lightOf(lamp: readonly number[]): number {
  return (lamp.reduce((sum, duty) => sum + duty, 0) / 400) * FULL_LIGHT
}

/** Share of the chamber's air that is exchanged with the room per second. */
export function exchangeRate(drive: ChamberDrive, traits: ChamberTraits = DEFAULT_TRAITS): number {
  // Against shut valves a fan moves next to nothing.
  const opening = Math.max(drive.valves / 2, 0.03)
  return traits.leak + (drive.valves / 2) * traits.draught + drive.fans * traits.fan * opening
}

/**
 * The chamber after some time.
 *
 * @param drive - what is switched on during that time
 * @param seconds - length of the step; rates that depend on the state are taken from its beginning, so keep
 *   it below a few seconds where the course matters
 */
export function stepChamber(
  state: ChamberState,
  drive: ChamberDrive,
  room: Room,
  seconds: number,
  traits: ChamberTraits = DEFAULT_TRAITS,
): ChamberState {
  const light = lightOf(drive.lamp)
  const exchange = exchangeRate(drive, traits)

  // Uptake is written as a rate times co2, so that it ends before the CO2 does.
  const uptakeRate = (traits.uptake * (light / (light + traits.halfLight))) / (state.co2 + traits.halfCo2)
  const co2Source = traits.respiration + injection(drive, traits) + exchange * room.co2
  const co2 = relax(state.co2, co2Source, uptakeRate + exchange, seconds)

  const heat = (light / FULL_LIGHT) * traits.lampHeat
  const loss = traits.wallLoss + exchange
  const temperature = relax(state.temperature, heat + loss * room.temperature, loss, seconds)

  const roomVapour = (room.humidity / 100) * saturation(room.temperature)
  const water = traits.transpirationDark + (light / FULL_LIGHT) * traits.transpirationLight
  const dry = Math.max(0, 1 - state.vapour / saturation(temperature))
  const vapourSource = water * dry + (exchange + traits.vapourLoss) * roomVapour
  const vapour = Math.min(
    relax(state.vapour, vapourSource, exchange + traits.vapourLoss, seconds),
    saturation(temperature),
  )

  return {
    co2,
    temperature,
    vapour,
    rootsTemperature: follow(state.rootsTemperature, temperature, traits.rootsRate, seconds),
    sensedTemperature: follow(state.sensedTemperature, temperature, traits.sensorRate, seconds),
    sensedVapour: follow(state.sensedVapour, vapour, traits.sensorRate, seconds),
  }
}

function injection(drive: ChamberDrive, traits: ChamberTraits): number {
  if (!drive.gasValve) return 0
  return drive.gasPump ? traits.injection : traits.seepage
}

/** Solution of dx/dt = source - rate * x. */
function relax(value: number, source: number, rate: number, seconds: number): number {
  if (rate === 0) return value + source * seconds
  const equilibrium = source / rate
  return equilibrium + (value - equilibrium) * Math.exp(-rate * seconds)
}

/** A quantity that follows another one with a rate per second. */
export function follow(value: number, target: number, rate: number, seconds: number): number {
  return target + (value - target) * Math.exp(-rate * seconds)
}

/** Saturation vapour pressure of water in mbar at a temperature in °C (Magnus formula). */
export function saturation(celsius: number): number {
  return 6.112 * Math.exp((17.62 * celsius) / (243.12 + celsius))
}

/** Relative humidity in %, 0 to 100. */
export function relativeHumidity(vapour: number, celsius: number): number {
  return Math.min(100, Math.max(0, (100 * vapour) / saturation(celsius)))
}
