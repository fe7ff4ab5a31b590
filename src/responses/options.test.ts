import { describe, expect, it } from 'vitest'
import { defaultDurationsMs, responseOptionFaults, responsePlan } from './options.ts'
import { ResponseFault } from './response.ts'

describe('the choices about responses', () => {
  it('are complete without any', () => {
    const plan = responsePlan()
    expect(plan.of('scanner')).toEqual({ mode: 'on', only: undefined, durationsMs: defaultDurationsMs })
    const { slowDown, graceMs, maxTargetCount } = plan
    expect({ slowDown, graceMs, maxTargetCount }).toEqual({
      ...{ slowDown: { firstMs: 500, maxMs: 5_000 }, graceMs: 3_600_000, maxTargetCount: 20 },
    })
  })

  it('can differ for a detector', () => {
    const plan = responsePlan({
      mode: 'dry-run',
      durationsMs: { 'ban-address': [60_000] },
      perDetector: { scanner: { mode: 'on', only: ['ban-address'], durationsMs: { 'step-up': [5_000] } } },
    })
    expect(plan.of('other').mode).toBe('dry-run')
    const scanner = plan.of('scanner')
    expect([scanner.mode, [...(scanner.only ?? [])]]).toEqual(['on', ['ban-address']])
    expect(scanner.durationsMs).toEqual({
      ...defaultDurationsMs,
      ...{ 'ban-address': [60_000], 'step-up': [5_000] },
    })
  })

  it('V16.5.3 are refused with all that is wrong with them at once', () => {
    const wrong = {
      mode: 'of',
      durationsMs: {
        'ban-address': [],
        'slow-down': [60_000, 1_000],
        'revoke-sessions': [1_000],
        'step-up': [1],
      },
      slowDown: { firstMs: 9_000, maxMs: 20_000, most: 1 },
      graceMs: -1,
      maxTargetCount: 1.5,
      graceMS: 1,
      perDetector: {
        scaner: { mode: 'dry', only: ['ban'], durationsMs: { 'lock-account': [Number.NaN] }, x: 1 },
        y: 5,
      },
    }
    const options = responseOptionFaults(wrong, ['scanner', 'y']).map(({ option }) => option)
    expect(options).toEqual([
      ...[
        'graceMS',
        'mode',
        'durationsMs.ban-address',
        'durationsMs.slow-down',
        'durationsMs.revoke-sessions',
      ],
      ...['durationsMs.step-up', 'slowDown.most', 'slowDown.maxMs', 'graceMs', 'maxTargetCount'],
      ...['perDetector.scaner', 'perDetector.scaner.x', 'perDetector.scaner.mode'],
      ...['perDetector.scaner.durationsMs.lock-account', 'perDetector.scaner.only', 'perDetector.y'],
    ])
    expect(() => Reflect.apply(responsePlan, undefined, [wrong])).toThrow(ResponseFault)
    expect(responseOptionFaults({ slowDown: { firstMs: 6_000 } })).toHaveLength(1)
    for (const none of [null, 5, 'on', []]) expect(responseOptionFaults(none)).toHaveLength(1)
    expect(responseOptionFaults({})).toEqual([])
  })
})
