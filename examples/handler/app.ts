/** Nothing but a handler: the default network stack, HTTP on port 80, until shutdown. */
export default { fetch: (request: Request) => new Response(`hello from ${new URL(request.url).pathname}\n`) }
