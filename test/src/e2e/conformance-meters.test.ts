import { eachIsGold } from '../kit/shipped-models.ts'

await eachIsGold('meters')
