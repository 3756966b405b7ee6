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

    // What one types into to choose among many takes the name of its field.
    addEventListener("load", () => {
        for (const select of document.querySelectorAll("select.admin-autocomplete[id]")) {
            const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
            const box = select.parentElement.querySelector(".select2-selection");
            const text = box?.querySelector("[role=textbox]");
            if (!label || !text) continue;
            label.id ||= `${select.id}_label`;
            text.setAttribute("aria-labelledby", label.id);
            box.setAttribute("aria-labelledby", `${label.id} ${text.id}`);
        }
    });

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
