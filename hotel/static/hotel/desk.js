// Comfort: the theme, "/" for the search, Escape for menus, print. Every page works without this file.
// It stands in the head without "defer", so that the theme is set before anything is painted.
(() => {
    const themes = ["auto", "light", "dark"];
    const root = document.documentElement;

    function chosen() {
        try {
            const theme = localStorage.getItem("theme");
            return themes.includes(theme) ? theme : "auto";
        } catch {
            return "auto"; // a private window
        }
    }

    function show(theme) {
        if (theme === "auto") root.removeAttribute("data-theme");
        else root.dataset.theme = theme;
        for (const word of document.querySelectorAll("[data-theme-words]")) {
            word.textContent = word.dataset.themeWords.split("|")[themes.indexOf(theme)];
        }
    }

    function openMenus() {
        return document.querySelectorAll("details.menu[open]");
    }

    show(chosen());
    document.addEventListener("DOMContentLoaded", () => show(chosen()));

    document.addEventListener("click", (event) => {
        if (event.target.closest("[data-theme-toggle]")) {
            const theme = themes[(themes.indexOf(chosen()) + 1) % themes.length];
            try {
                localStorage.setItem("theme", theme);
            } catch {
                // a private window: for this page only
            }
            show(theme);
        }
        if (event.target.closest("[data-print]")) window.print();
        for (const menu of openMenus()) {
            if (!menu.contains(event.target)) menu.open = false;
        }
    });

    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
            for (const menu of openMenus()) {
                menu.open = false;
                menu.querySelector("summary").focus();
            }
        }
        const typing = event.target.closest("input, select, textarea, [contenteditable]");
        if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
            const field = document.querySelector("#find");
            if (field) {
                event.preventDefault();
                field.focus();
                field.select();
            }
        }
    });
})();
