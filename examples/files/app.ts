/** A drop box behind a password: files come by a form, and go to who has the password or a token. drop.ts has the routes. */
import { arg, http, unikernel } from 'xen-ts'
import { drop, LARGEST } from './drop.ts'

export default unikernel({
  name: 'files',
  args: { password: arg.string({ required: true, doc: 'of the user "me"' }) },
  devices: { http: http() },
  async start({ http, args: { password }, signal }) {
    // Tokens are good until the next boot.
    const secret = Array.from(crypto.getRandomValues(new Uint8Array(32)), byte => byte.toString(16)).join('')
    const { fetch } = drop({ password, secret })
    await http.serve({ port: 80, signal, limits: { body: LARGEST, bodies: LARGEST } }, request => fetch(request))
  },
})
