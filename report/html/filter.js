// Hides the rows of a table that lack any of the words in its filter.
for (const input of document.querySelectorAll(".filter")) {
  const rows = [...document.getElementById(input.dataset.for).tBodies[0].rows].map(r => [r, r.textContent.toLowerCase()]);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const [row, text] of rows) row.hidden = !words.every(w => text.includes(w));
  });
}
