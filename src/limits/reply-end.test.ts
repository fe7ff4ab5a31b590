import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { ReplyEnd } from './reply-end.ts'

/** A reply whose end is told by hand. */
class ToldReply extends EventEmitter {
  statusCode = 200
  writableEnded = false
  destroyed = false

  /** Everything is out. */
  finish(statusCode: number): void {
    this.statusCode = statusCode
    this.writableEnded = true
    this.emit('finish')
    this.emit('close')
  }
}

/** What a listener hears that was there from the beginning. */
function heard(act: (reply: ToldReply) => void): string[] {
  const reply = new ToldReply()
  const outcomes: string[] = []
  new ReplyEnd(reply).onEnd((outcome) => outcomes.push(outcome))
  act(reply)
  return outcomes
}

describe('the end of a reply', () => {
  it.each([
    [200, 'well'],
    [304, 'well'],
    [503, 'well'],
    [400, 'badly'],
    [401, 'badly'],
    [500, 'badly'],
  ])('V2.4.1 with %i is heard once, as %s', (status, outcome) => {
    expect(heard((reply) => reply.finish(status))).toEqual([outcome])
  })

  it('V2.4.1 is bad where the client went away', () => {
    expect(heard((reply) => reply.emit('close'))).toEqual(['badly'])
    // HTTP/2 says "finish" too.
    expect(heard((reply) => reply.emit('finish'))).toEqual(['badly'])
  })

  it('V15.2.2 is heard by whoever comes too late', () => {
    const reply = new ToldReply()
    const end = new ReplyEnd(reply)
    reply.emit('close')
    const outcomes: string[] = []
    end.onEnd((outcome) => outcomes.push(outcome))
    expect([end.isOver, outcomes]).toEqual([true, ['badly']])
  })

  it('V15.2.2 is there from the beginning where the client has gone before', () => {
    const reply = new ToldReply()
    reply.destroyed = true
    expect(new ReplyEnd(reply).isOver).toBe(true)
    const stream = { destroyed: true }
    expect(new ReplyEnd(Object.assign(new ToldReply(), { stream })).isOver).toBe(true)
  })

  it('is not heard by whoever has stopped listening', () => {
    const reply = new ToldReply()
    const outcomes: string[] = []
    const stop = new ReplyEnd(reply).onEnd((outcome) => outcomes.push(outcome))
    stop()
    reply.finish(200)
    expect(outcomes).toEqual([])
  })
})
