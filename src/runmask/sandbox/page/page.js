"use strict";

const part = (id) => document.getElementById(id);
let newest = 0; // an answer to an older photo that comes late is not shown

async function look(file) {
  const mine = ++newest;
  say(`Looking at ${file.name} …`);
  const form = new FormData();
  form.append("image", file);
  try {
    const answer = await fetch("/look", { method: "POST", body: form });
    const told = await answer.json();
    if (mine !== newest) return;
    if (!answer.ok) throw new Error(told.error);
    show(file.name, told);
    say("");
  } catch (error) {
    if (mine !== newest) return;
    part("result").hidden = true;
    say(`${file.name}: ${error.message}`, true);
  }
}

function say(text, isError = false) {
  part("state").textContent = text;
  part("state").className = isError ? "error" : "";
}

function show(name, told) {
  part("name").textContent = name;
  part("verdict").textContent = told.verdict;
  part("verdict").className = told.verdict;
  part("score").textContent = told.score;
  const share = ((100 * told.marked) / (told.width * told.height)).toPrecision(3);
  const facts = [`${told.width} x ${told.height}`, `${share} % of the pixels marked`, `${told.parts} ${told.parts === 1 ? "part" : "parts"}`];
  part("facts").textContent = [...facts, ...Object.values(told.metadata)].join(" · ");
  for (const id of ["overlay", "heatmap", "photo"]) part(id).src = told[id];
  part("contours").setAttribute("viewBox", `0 0 ${told.width} ${told.height}`);
  part("contours").setAttribute("preserveAspectRatio", "none");
  part("contours").firstElementChild.setAttribute("d", told.contours);
  part("result").hidden = false;
}

const drop = part("drop");
part("file").addEventListener("change", (event) => {
  if (event.target.files.length) look(event.target.files[0]);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) look(event.dataTransfer.files[0]);
});
