// texts with plurals and interpolation
import i18next from 'i18next'

export default async say => {
  const i18n = i18next.createInstance()
  await i18n.init({
    lng: 'en',
    fallbackLng: 'en',
    resources: {
      en: { translation: { hello: 'hello {{name}}', item_one: '{{count}} item', item_other: '{{count}} items', deep: { a: 'A' } } },
      de: { translation: { hello: 'hallo {{name}}' } },
    },
  })
  say([i18n.t('hello', { name: '<Ann>' }), i18n.t('item', { count: 1 }), i18n.t('item', { count: 3 }), i18n.t('deep.a'), i18n.t('none')])
  await i18n.changeLanguage('de')
  say([i18n.t('hello', { name: 'Bob' }), i18n.t('deep.a')])
}
