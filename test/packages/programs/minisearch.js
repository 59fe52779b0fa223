// full text: index, prefix, fuzzy, suggestions
import MiniSearch from 'minisearch'

export default async say => {
  const index = new MiniSearch({ fields: ['title', 'text'], storeFields: ['title'] })
  index.addAll([
    { id: 1, title: 'Moby Dick', text: 'Call me Ishmael. Some years ago' },
    { id: 2, title: 'Zen and the Art', text: 'I can see by my watch' },
    { id: 3, title: 'Neuromancer', text: 'The sky above the port was' },
  ])
  say(index.search('zen art').map(({ id, title, terms }) => [id, title, terms]))
  say(index.search('moto ishmel', { fuzzy: 0.2, prefix: true }).map(({ id }) => id))
  say(index.autoSuggest('neu').map(({ suggestion }) => suggestion))
  say(JSON.stringify(index).length > 100)
}
