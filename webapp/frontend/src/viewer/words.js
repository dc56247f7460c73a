const WORDS = {
  zh: { view: '视图', zoomIn: '放大', zoomOut: '缩小', fit: '适应窗口', 'Open {element}': '打开 {element}' },
  en: { view: 'View', zoomIn: 'Zoom in', zoomOut: 'Zoom out', fit: 'Fit' },
};

export function words(lang) {
  return WORDS[lang.startsWith('zh') ? 'zh' : 'en'];
}

export function translateModule(lang) {
  const dictionary = words(lang);
  const translate = (template, values = {}) => (dictionary[template] || template).replace(/{([^}]+)}/g, (place, name) => values[name] ?? place);
  return { translate: ['value', translate] };
}
