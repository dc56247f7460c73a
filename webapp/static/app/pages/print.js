// The page that prints: its one button.
document.querySelector('[data-yl-print]').addEventListener('click', () => print());
