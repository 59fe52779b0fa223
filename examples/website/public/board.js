// The front page: messages as they come, and how long the program has been up.
const list = document.getElementById('messages')
const uptime = document.getElementById('uptime')
const form = document.getElementById('write')

const events = new EventSource('/events')
events.addEventListener('message', ({ data }) => {
  const item = document.createElement('li')
  item.textContent = JSON.parse(data).text
  list.append(item)
})
events.addEventListener('uptime', ({ data }) => {
  uptime.textContent = `${data} s`
})

form.addEventListener('submit', async event => {
  event.preventDefault()
  const body = JSON.stringify({ text: new FormData(form).get('text') })
  const { ok } = await fetch('/api/messages', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (ok) form.reset()
})
