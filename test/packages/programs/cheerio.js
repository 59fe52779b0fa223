// selectors, changes, text
import { load } from 'cheerio/slim'

export default async say => {
  const $ = load('<ul id="list"><li class="a">one</li><li>two &amp; more</li></ul>')
  say(
    $('li')
      .map((_, li) => $(li).text())
      .get(),
  )
  $('#list li.a').attr('title', 'x').addClass('b').append('<b>!</b>')
  $('li:nth-child(2)').remove()
  say($.html())
  say([$('ul > li').length, $('li').first().is('.b'), $('b').closest('ul').attr('id')])
}
