// Runs before the first paint, so that neither theme nor language flashes. A file of its own because the policy forbids inline scripts.
(() => {
  const root = document.documentElement;
  let theme = null;
  let locale = null;
  try {
    theme = localStorage.getItem('oblivious.theme');
    locale = localStorage.getItem('oblivious.locale');
  } catch {
    // Storage is forbidden: the system's own choice stands.
  }
  if (theme !== 'light' && theme !== 'dark') theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  if (locale !== 'en' && locale !== 'zh-CN') locale = /^zh\b/i.test(navigator.language) ? 'zh-CN' : 'en';
  root.dataset.theme = theme;
  root.lang = locale;
})();
