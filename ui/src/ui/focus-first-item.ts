/**
 * For a menu that opens: the first item takes the focus when the keyboard opened it, as its button's `:focus-visible` tells.
 * The library watches the keyboard only from the first menu on, which these menus, loaded when they are asked for, come too late for.
 */
export const focusFirstItem = (opening: Event, button: HTMLElement | null): void => {
  if (button?.matches(':focus-visible') !== true || !(opening.target instanceof HTMLElement)) return;
  const first = opening.target.querySelector<HTMLElement>('[role^="menuitem"]:not([data-disabled])');
  if (first === null) return;
  opening.preventDefault();
  first.focus();
};
