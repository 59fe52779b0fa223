// schemas, casts, errors
import * as yup from 'yup'

export default async say => {
  const User = yup.object({
    name: yup.string().required().min(2),
    age: yup.number().positive().integer(),
    mail: yup.string().email(),
    when: yup.date().default(() => new Date(0)),
  })
  say(await User.validate({ name: 'Ann', age: '42' }))
  say(await User.validate({ name: 'A', age: -1, mail: 'x' }, { abortEarly: false }).catch(error => error.errors))
}
