export {
  applyCalibration,
  invertCalibration,
  newestOf,
  rangeFault,
  settableOf,
  withVersion,
} from './calibration.ts'
export { curveFault, inputsOf } from './curve.ts'
export { type Derivation, Deriver } from './derive.ts'
export { type Fit, type FitRequest, fitCurve, MAX_DEGREE } from './fit.ts'
export { combine, type Input, resultOf } from './quality.ts'
