"use strict";
/* Search and filter over the cards. Text is only ever read and compared, never written as HTML. */
(() => {
  const query = document.getElementById("query");
  const group = document.getElementById("group");
  const showing = document.getElementById("showing");
  const nothing = document.getElementById("nothing");
  const reset = document.getElementById("reset");
  const unfiltered = showing.textContent;

  const folded = (text) => text.normalize("NFKC").toLowerCase();
  const cards = Array.from(document.querySelectorAll(".card"), (node) => ({
    node,
    groups: node.dataset.groups.split(" "),
    text: folded(
      Array.from(node.querySelectorAll("[data-search]"), (part) => part.textContent).join("\n"),
    ),
  }));

  const apply = () => {
    const words = folded(query.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const card of cards) {
      const fits = (!group.value || card.groups.includes(group.value))
        && words.every((word) => card.text.includes(word));
      card.node.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    const filtered = words.length > 0 || group.value !== "";
    showing.textContent = filtered
      ? `Showing ${shown} of the ${cards.length} records in this file`
        + ` (${showing.dataset.total} in all).`
      : unfiltered;
    nothing.hidden = shown > 0 || !filtered;
    reset.hidden = !filtered;
  };

  const clear = () => {
    query.value = "";
    group.value = "";
    apply();
  };

  /* A link to a card must arrive, even if the filter hides that card. */
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.hidden) {
      clear();
      target.scrollIntoView();
    }
  };

  query.addEventListener("input", apply);
  group.addEventListener("change", apply);
  reset.addEventListener("click", () => {
    clear();
    query.focus();
  });
  window.addEventListener("hashchange", reveal);

  document.getElementById("filters").hidden = cards.length === 0;
  apply(); /* browsers keep what was typed before a reload */
  document.body.dataset.ready = "1";
})();
