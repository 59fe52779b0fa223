/** Takes forms with files, says what was in them, and gives the last file back. */
import { http, unikernel } from 'xen-ts'

export default unikernel({
  name: 'upload',
  devices: { http: http() },
  async start({ http, log, signal }) {
    let last: Blob = new Blob([])
    const handler = async (request: Request): Promise<Response> => {
      if (request.method !== 'POST') return new Response(last)
      try {
        const form = await request.formData()
        const said = []
        for (const [name, value] of form) {
          if (typeof value === 'string') said.push([name, value])
          else {
            said.push([name, value.name, value.type, value.size])
            last = value
          }
        }
        return Response.json(said)
      } catch (error) {
        return new Response(`${error}\n`, { status: 400 })
      }
    }
    log.info('ready')
    await http.serve({ port: 80, signal, limits: { body: 12_000_000, bodies: 12_000_000 } }, handler)
  },
})
