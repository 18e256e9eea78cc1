// On a phone, a tap on a drawing enlarges it, and another makes it small again.
document.addEventListener("click", (event) => {
  event.target.closest(".drawing")?.classList.toggle("enlarged");
});
