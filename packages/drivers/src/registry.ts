import type { Model } from '@golem/core'
import { esp32Relay } from './esp32-relay.ts'
import { esphome } from './esphome.ts'
import { grbl } from './grbl.ts'
import { pwmLamp } from './pwm-lamp.ts'
import { sba5 } from './sba5.ts'
import { tc420 } from './tc420.ts'

/** The models whose drivers are part of golem. Models in YAML and those of a site: see `loadModels`. */
export const builtIn: readonly Model[] = [esp32Relay, pwmLamp, sba5, esphome, grbl, tc420]
