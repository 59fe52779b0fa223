// colours
import chroma from 'chroma-js'

export default async say => {
  say([
    chroma('hotpink').hex(),
    chroma('#369').darken().hex(),
    chroma.mix('red', 'blue', 0.5, 'lab').hex(),
    chroma.scale(['white', 'black']).colors(3),
    chroma.contrast('#fff', '#000'),
  ])
}
