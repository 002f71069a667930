(function () {
  "use strict";
  var box = document.getElementById("search"), list = document.getElementById("found");
  var index = window.unrollIndex || [], chosen = -1;

  function score(entry, words) {
    var name = entry[0].toLowerCase(), last = name.split(/[.:]/).pop(), total = 0;
    var text = (entry[2] + " " + entry[4]).toLowerCase();
    for (var i = 0; i < words.length; i++) {
      var w = words[i], at = text.indexOf(w);
      var points = last === w || name === w ? 100 : last.indexOf(w) === 0 ? 60
        : name.indexOf(w) >= 0 ? 40 : at >= 0 ? (at < 80 ? 20 : 10) : 0;
      if (points === 0) return 0;
      total += points;
    }
    return total - entry[5] - name.length / 100;
  }

  function choose(i) {
    var items = list.children;
    if (items[chosen]) items[chosen].className = "";
    chosen = Math.max(-1, Math.min(i, items.length - 1));
    if (items[chosen]) {
      items[chosen].className = "chosen";
      items[chosen].scrollIntoView({ block: "nearest" });
    }
  }

  function show() {
    var words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    var hits = [];
    if (words.length > 0) {
      index.forEach(function (entry) {
        var points = score(entry, words);
        if (points > 0) hits.push([points, entry]);
      });
    }
    hits.sort(function (a, b) { return b[0] - a[0]; });
    list.textContent = "";
    hits.slice(0, 30).forEach(function (hit) {
      var a = document.createElement("a"), b = document.createElement("b");
      var s = document.createElement("span");
      a.href = hit[1][3];
      b.textContent = hit[1][1];
      s.textContent = hit[1][2];
      a.append(b, s);
      list.append(a);
    });
    if (words.length > 0 && hits.length === 0) {
      var p = document.createElement("p");
      p.textContent = "Nothing of that name, and no text speaks of it.";
      list.append(p);
    }
    list.hidden = words.length === 0;
    chosen = -1;
    if (hits.length > 0) choose(0);
  }

  box.addEventListener("input", show);
  box.addEventListener("focus", show);
  box.addEventListener("keydown", function (event) {
    if (event.key === "ArrowDown") { choose(chosen + 1); event.preventDefault(); }
    else if (event.key === "ArrowUp") { choose(Math.max(0, chosen - 1)); event.preventDefault(); }
    else if (event.key === "Enter" && list.children[chosen]) { list.children[chosen].click(); }
    else if (event.key === "Escape") { box.value = ""; show(); box.blur(); }
  });
  list.addEventListener("click", function () { list.hidden = true; });
  document.addEventListener("click", function (event) {
    if (!event.target.closest(".search")) list.hidden = true;
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== box) { box.focus(); event.preventDefault(); }
  });

  var menu = document.querySelector("#modules details");
  function fit() { menu.open = window.matchMedia("(min-width: 60rem)").matches; }
  fit();
  window.addEventListener("resize", fit);
})();
