/** Where a stage is, in mm. */
export type Position = readonly [x: number, y: number, z: number]

interface Block {
  target: Position
  /** mm/min */
  feed: number
}

/** How far a deviation from a target still counts as having arrived, in mm. */
const ARRIVED_MM = 1e-6

/** Blocks that the planner takes before it lets the sender wait. */
export const PLANNER_BLOCKS = 16

/** A stage's mechanics: blocks of straight lines one after the other, each begun and ended at rest. */
export class GrblMotion {
  readonly #accelerationMm: number
  readonly #blocks: Block[] = []
  #position: Position = [0, 0, 0]
  /** mm/s, along the block */
  #speed = 0
  #holding = false
  /** Part of the programmed feed that is driven, from the feed override. */
  override = 1

  /** @param acceleration - mm/s² */
  constructor(acceleration: number) {
    this.#accelerationMm = acceleration
  }

  get position(): Position {
    return this.#position
  }

  /** Where it is going, when all is done. */
  get end(): Position {
    return this.#blocks.at(-1)?.target ?? this.#position
  }

  /** mm/min */
  get feed(): number {
    return this.#speed * 60
  }

  get waiting(): number {
    return this.#blocks.length
  }

  get moving(): boolean {
    return this.#speed > 0 || (this.#blocks.length > 0 && !this.#holding)
  }

  /** A feed hold is in force and the deceleration is over. */
  get held(): boolean {
    return this.#holding && this.#speed === 0
  }

  add(target: Position, feed: number): void {
    this.#blocks.push({ target, feed })
  }

  /** Decelerates to a standstill; what is planned stays. */
  hold(): void {
    this.#holding = true
  }

  resume(): void {
    this.#holding = false
  }

  /** Stands still at once, as when the motors lose their steps; nothing stays planned. */
  kill(): void {
    this.#blocks.length = 0
    this.#speed = 0
    this.#holding = false
  }

  /** Forgets what is planned, once it stands. */
  clear(): void {
    this.#blocks.length = 0
    this.#holding = false
  }

  /** Says where it is, without moving. */
  place(position: Position): void {
    this.#position = position
  }

  /** Lets time pass. @param seconds - short against all movements */
  advance(seconds: number): void {
    const block = this.#blocks[0]
    if (!block) return
    const left = distance(this.#position, block.target)
    const dv = this.#accelerationMm * seconds
    const top = (block.feed / 60) * this.override
    const wanted = this.#holding ? 0 : Math.min(top, Math.sqrt(2 * this.#accelerationMm * left))
    this.#speed =
      wanted > this.#speed ? Math.min(wanted, this.#speed + dv) : Math.max(wanted, this.#speed - dv)
    const step = this.#speed * seconds
    if (this.#speed > 0 && left - step > ARRIVED_MM) {
      this.#position = along(this.#position, block.target, step / left)
      return
    }
    if (this.#speed === 0 && left > ARRIVED_MM) return
    this.#position = block.target
    this.#speed = 0
    this.#blocks.shift()
  }
}

export function distance(from: Position, to: Position): number {
  return Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2])
}

function along(from: Position, to: Position, part: number): Position {
  return [
    from[0] + (to[0] - from[0]) * part,
    from[1] + (to[1] - from[1]) * part,
    from[2] + (to[2] - from[2]) * part,
  ]
}
