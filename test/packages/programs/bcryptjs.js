// hash and compare
import bcrypt from 'bcryptjs'

export default async say => {
  const salt = '$2b$04$abcdefghijklmnopqrstuu'
  say(bcrypt.hashSync('secret', salt))
  const hash = await bcrypt.hash('secret', 4)
  say([hash.length, await bcrypt.compare('secret', hash), await bcrypt.compare('wrong', hash), bcrypt.getRounds(hash)])
}
