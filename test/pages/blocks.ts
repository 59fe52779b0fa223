/** What the pages show to be typed: TypeScript, and commands. */

export interface Block {
  /** Of its first line in the page, from 1. */
  readonly line: number
  /** Its language, as ```ts has it; '' for an indented one. */
  readonly language: string
  readonly text: string
}

/** Fenced blocks, and those that are indented by four spaces. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  const lines = page.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const fence = /^ *```(\w*)$/.exec(lines[i])
    if (fence !== null) {
      const end = lines.findIndex((line, j) => j > i && /^ *```$/.test(line))
      if (end < 0) throw new Error(`the block of line ${i + 1} has no end`)
      blocks.push({ line: i + 2, language: fence[1], text: lines.slice(i + 1, end).join('\n') })
      i = end
    } else if (/^ {4}\S/.test(lines[i]) && (i === 0 || lines[i - 1] === '')) {
      const start = i
      while (i + 1 < lines.length && (lines[i + 1] === '' || lines[i + 1].startsWith('    '))) i++
      const text = lines.slice(start, i + 1).map(line => line.slice(4))
      blocks.push({ line: start + 1, language: '', text: text.join('\n').trimEnd() })
    }
  }
  return blocks
}

/** The name that a block's first line gives its file: `// app.ts`. */
export const fileName = ({ text }: Block): string | undefined => /^\/\/ ([\w./-]+\.tsx?)\b/.exec(text)?.[1]

export interface Command {
  /** `xen-ts build`, `make run`, `npm run check`. */
  readonly name: string
  readonly options: readonly string[]
  readonly text: string
}

/** The commands of ours in a page: in blocks, and in `code`. What stands for a name is written in capitals. */
export function commandsOf(page: string): Command[] {
  const shell = blocksOf(page).filter(({ language }) => language === '' || language === 'sh')
  const inline = [...page.replace(/^ *```[^]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(match => match[1])
  // A command that is continued on the next line is one.
  return [...shell.flatMap(({ text }) => text.replace(/\\\n/g, ' ').split('\n')), ...inline].flatMap(commandsIn)
}

/** Of one line. What is quoted is another program's; what follows `--` is the image's own. */
function commandsIn(line: string): Command[] {
  const bare = line.replace(/'[^']*'|"[^"]*"/g, 'TEXT').replace(/(^|\s)#.*/, '')
  return bare.split(/[|;]|&&/).flatMap(part => {
    const text = part.trim().replace(/^\$ /, '')
    const [, name, rest] =
      /^(?:npx )?(xen-ts qubes [a-z]+|xen-ts [a-z]+|make [a-z]+|npm run [a-z]+(?::[a-z]+)?)(?=\s|$)(.*)$/.exec(text) ?? []
    if (name === undefined) return []
    const own = rest.split(/\s--(?:\s|$)/)[0]
    return [{ name, options: [...own.matchAll(/(?<=\s)(--?[a-z][\w-]*)/g)].map(match => match[1]), text }]
  })
}
