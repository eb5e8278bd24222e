const PERIOD_MS = 2000;

function show(status) {
  for (const cell of document.querySelectorAll("[data-field]")) {
    cell.textContent = status[cell.dataset.field].toLocaleString();
  }
  const counts = Object.entries(status.tasks).sort();
  document.querySelector("#tasks").replaceChildren(...counts.map(row));
  document.querySelector("#none").hidden = counts.length > 0;
  document.querySelector("#state").textContent = `Chain ${status.chainId}, ${status.phase}.`;
}

function row(values) {
  const line = document.createElement("tr");
  for (const value of values) {
    line.insertCell().textContent = value.toLocaleString();
  }
  return line;
}

async function poll() {
  try {
    const answer = await fetch("/status");
    const document_ = await answer.json();
    if (answer.ok) show(document_);
    else document.querySelector("#state").textContent = `${document_.detail}. ${document_.hint ?? ""}`;
  } catch {
    document.querySelector("#state").textContent = "The server does not answer.";
  }
  setTimeout(poll, PERIOD_MS);
}

poll();
