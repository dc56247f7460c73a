// Runs before the first paint: who has not chosen a theme gets the one of the device.
document.documentElement.dataset.bsTheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
