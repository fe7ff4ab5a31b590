import { expect, it } from 'vitest'
import { rootSecret } from '../../test/kit/signing.ts'
import { deriveKey } from '../crypto/index.ts'
import { DeviceCookies } from './device-cookies.ts'

const dayMs = 86_400_000
const startMs = Date.parse('2026-01-01T12:00:00Z')
const [key, nextKey] = [1, 2].map((seed) => deriveKey(rootSecret(seed), 'device-cookie'))
if (key === undefined || nextKey === undefined) throw new Error('two keys')

function cookies(nowMs = startMs): DeviceCookies {
  return new DeviceCookies([key ?? deriveKey(rootSecret(1), 'device-cookie')], () => nowMs)
}

it('V6.1.1 a device cookie names its device to its own account alone', () => {
  const issued = cookies().issue('ann')
  expect(cookies().verify(issued.value, 'ann')).toEqual({ deviceId: issued.deviceId })
  for (const other of ['ben', 'an', 'ann ', 'Ann', '', 'ann","x'])
    expect(cookies().verify(issued.value, other)).toBeNull()
  const again = cookies().issue('ann')
  expect(again.deviceId).not.toBe(issued.deviceId)
  // A name that no random text holds by chance.
  expect(cookies().issue('somebody@example.com').value).not.toContain('somebody')
})

it('V6.1.1 no character of a device cookie can be changed, left out or added', () => {
  const { value } = cookies().issue('ann')
  const alphabet = 'ABab09_-.'
  for (let at = 0; at <= value.length; at += 1) {
    expect(
      cookies().verify(value.slice(0, at) + value.slice(at + 1), 'ann') === null || at === value.length,
    ).toBe(true)
    for (const letter of alphabet) {
      const [put, added] = [
        value.slice(0, at) + letter + value.slice(at + 1),
        value.slice(0, at) + letter + value.slice(at),
      ]
      if (put !== value) expect(cookies().verify(put, 'ann'), put).toBeNull()
      expect(cookies().verify(added, 'ann'), added).toBeNull()
    }
  }
  for (const text of [
    undefined,
    '',
    '..',
    'x'.repeat(100_000),
    `${value}\n`,
    ` ${value}`,
    `${value},${value}`,
  ])
    expect(cookies().verify(text, 'ann')).toBeNull()
})

it('V6.1.1 a device cookie ends after half a year, and its end cannot be moved', () => {
  const { value } = cookies().issue('ann')
  const endMs = (Math.floor(startMs / dayMs) + 180) * dayMs
  expect(cookies(endMs - 1).verify(value, 'ann')).not.toBeNull()
  expect(cookies(endMs).verify(value, 'ann')).toBeNull()
  const [deviceId, endDay, tag] = value.split('.')
  expect(cookies().verify(`${deviceId}.${Number(endDay) + 1}.${tag}`, 'ann')).toBeNull()
  expect(cookies().verify(`${deviceId}.0${endDay}.${tag}`, 'ann')).toBeNull()
})

it('V11.2.2 a device cookie outlives a change of the root secret, and not two', () => {
  const { value } = cookies().issue('ann')
  expect(new DeviceCookies([nextKey, key], () => startMs).verify(value, 'ann')).not.toBeNull()
  expect(new DeviceCookies([nextKey], () => startMs).verify(value, 'ann')).toBeNull()
})
