import { expect, it } from 'vitest'
import { type Family, family, single } from './catalogue.ts'
import { mergedFamilies } from './merge.ts'

const worker = (
  requests: number,
  sockets: number,
  delaySeconds: number,
  isUp: boolean,
): readonly Family[] => [
  family('holdfast_http_requests_total', [
    { labels: { method: 'GET', route: '/', status: 200 }, value: requests },
    { labels: { method: 'GET', route: '/', status: 500 + requests }, value: 1 },
  ]),
  family('holdfast_http_request_duration_seconds', [
    {
      metricName: 'holdfast_http_request_duration_seconds_bucket',
      labels: { route: '/', le: '1' },
      value: requests,
    },
    { metricName: 'holdfast_http_request_duration_seconds_sum', labels: { route: '/' }, value: requests / 4 },
  ]),
  family('holdfast_bans', [{ labels: { kind: 'address' }, value: 3 }]),
  single('holdfast_sockets', sockets),
  single('holdfast_event_loop_delay_seconds', delaySeconds),
  single('holdfast_database_up', isUp ? 1 : 0),
]

it('V16.3.4 adds up what is counted, and keeps of a state what is true of all or worst in one', () => {
  const left = worker(100, 50, 9, false)
  const values = Object.fromEntries(
    mergedFamilies([worker(3, 2, 0.5, true), worker(4, 1, 0.25, false)], [left]).flatMap(
      ({ name, samples }) =>
        samples.map(({ metricName = name, labels, value }) => [
          `${metricName} ${Object.values(labels).join(' ')}`,
          value,
        ]),
    ),
  )
  expect(values).toEqual({
    'holdfast_http_requests_total GET / 200': 107,
    'holdfast_http_requests_total GET / 503': 1,
    'holdfast_http_requests_total GET / 504': 1,
    'holdfast_http_requests_total GET / 600': 1,
    'holdfast_http_request_duration_seconds_bucket / 1': 107,
    'holdfast_http_request_duration_seconds_sum /': 26.75,
    'holdfast_bans address': 3,
    'holdfast_sockets ': 3,
    'holdfast_event_loop_delay_seconds ': 0.5,
    'holdfast_database_up ': 0,
  })
})
