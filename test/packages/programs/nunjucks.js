// templates with inheritance, filters and macros
import nunjucks from 'nunjucks'

export default async say => {
  const sources = {
    base: '<title>{% block title %}none{% endblock %}</title>{% block body %}{% endblock %}',
    page: '{% extends "base" %}{% block title %}{{ title | upper }}{% endblock %}{% macro li(x) %}<li>{{ x }}</li>{% endmacro %}{% block body %}{% for one in list %}{{ li(one) }}{% endfor %}{% endblock %}',
  }
  const loader = { getSource: name => ({ src: sources[name], path: name, noCache: true }) }
  const env = new nunjucks.Environment(loader, { autoescape: true })
  env.addFilter('twice', text => text + text)
  say(env.render('page', { title: 'a', list: ['<x>', 2] }))
  say(env.renderString('{{ "ab" | twice }}', {}))
}
