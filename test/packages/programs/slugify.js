// names for addresses
import slugify from 'slugify'

export default async say => {
  const make = slugify.default ?? slugify
  say([make('Déjà vu, Ärger & Co!', { lower: true, strict: true }), make('a  b', '_')])
}
