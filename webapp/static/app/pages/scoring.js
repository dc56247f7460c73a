// The points of a call: a slider beside each number, and what they come to together.
const sum = document.querySelector('[data-yl-sum]');
const numbers = [...document.querySelectorAll('.yl-criterion input[type=number]')];

function reckon() {
  const given = numbers.filter(one => one.value !== ''), most = Number(sum.dataset.most);
  const points = given.reduce((total, one) => total + Number(one.value), 0);
  sum.textContent = given.length ? `${points} / ${most} · ${Math.floor((200 * points + most) / (2 * most))} %` : '—';
}

for (const slider of document.querySelectorAll('[data-yl-points]')) {
  const number = document.getElementById(slider.dataset.ylPoints);
  slider.addEventListener('input', () => { number.value = slider.value; reckon(); });
  number.addEventListener('input', () => { slider.value = number.value; reckon(); });
}
reckon();
