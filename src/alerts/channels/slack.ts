import type { Secret } from '../../base/index.ts'
import { type AlertChannel, type AlertMessage, allNews } from './channel.ts'
import { factsOf } from './facts.ts'
import { type Post, postJson, requireSafeUrl } from './post.ts'

/**
 * An incoming webhook of Slack, or of another that takes the same.
 *
 * @throws AlertFault for an address that is neither https nor this machine
 */
export function slackChannel(url: Secret): AlertChannel {
  requireSafeUrl(url)
  return {
    name: 'slack',
    news: allNews,
    send: (message, signal) => postJson(url, slackPost(message), signal),
  }
}

const headerMaxChars = 150

/**
 * What is posted. The blocks are plain text, in which nothing is looked for; `text` is for notifications, and for
 * chats that know no blocks and would find mentions and links in it.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text
 */
export function slackPost(message: AlertMessage): Post {
  const { headline, summary, lines } = factsOf(message)
  const details = lines.map(([name, value]) => `${name}: ${value}`).join('\n')
  const body = {
    text: escaped(`${headline}. ${summary}`),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(headline.slice(0, headerMaxChars)) },
      { type: 'section', text: plain(summary === '' ? headline : summary) },
      { type: 'section', text: plain(details) },
    ],
  }
  return { headers: {}, body: JSON.stringify(body) }
}

function plain(text: string): Readonly<Record<string, string | boolean>> {
  return { type: 'plain_text', text: escaped(text), emoji: false }
}

/** The three characters that Slack gives a meaning; `<!channel>` would call everybody. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
