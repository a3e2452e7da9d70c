// What is wider than its place scrolls by itself; such a place can be reached with the Tab key, so that the arrow
// keys scroll it. Only as long as something does stick out: nobody tabs through what is seen whole.
const PLACES = ".drawing, .math.block, eqn, ol.code, .numbers .scroll";

function reach(place) {
  const sticksOut = place.scrollWidth > place.clientWidth + 1 || place.scrollHeight > place.clientHeight + 1;
  const scrolls = /auto|scroll/.test(getComputedStyle(place).overflowX);
  if (sticksOut && scrolls) place.tabIndex = 0;
  else if (place !== document.activeElement) place.removeAttribute("tabindex");
}

const sizes = new ResizeObserver((seen) => seen.forEach((entry) => reach(entry.target)));

function watch(root) {
  root.querySelectorAll(PLACES).forEach((place) => sizes.observe(place));
}

watch(document);
new MutationObserver((changes) => {
  new Set(changes.filter((change) => change.addedNodes.length).map((change) => change.target)).forEach(watch);
}).observe(document.body, { childList: true, subtree: true });
