// fuzzy search
import Fuse from 'fuse.js'

export default async say => {
  const books = [
    { title: "Old Man's War", by: 'Scalzi' },
    { title: 'The Lock Artist', by: 'Hamilton' },
    { title: 'HTML5', by: 'Sharp' },
  ]
  const fuse = new Fuse(books, { keys: ['title', 'by'], includeScore: true })
  say(fuse.search('old wra').map(({ item, refIndex }) => [item.title, refIndex]))
  say(fuse.search('hamiltn').map(({ item }) => item.by))
}
