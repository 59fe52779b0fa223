/** Messages that visitors leave for each other, in memory: so many, and no longer ones. */

export interface Message {
  readonly id: number
  readonly text: string
}

const MOST_MESSAGES = 50
/** In UTF-16 units, as the browser counts them. */
export const LONGEST_MESSAGE = 200

export class Board {
  #messages: readonly Message[] = []
  #last = 0
  readonly #readers = new Set<(message: Message) => void>()

  /** The oldest first. */
  get messages(): readonly Message[] {
    return this.#messages
  }

  write(text: string): Message {
    const message = { id: ++this.#last, text }
    this.#messages = [...this.#messages, message].slice(-MOST_MESSAGES)
    for (const reader of this.#readers) reader(message)
    return message
  }

  /** Calls `reader` with each new message, until the returned function is called. */
  watch(reader: (message: Message) => void): () => void {
    this.#readers.add(reader)
    return () => void this.#readers.delete(reader)
  }
}
