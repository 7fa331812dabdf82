// Types of the elements in page.html for the scripts in canvas/; used by the type check only, not served.

/** An element whose content is known: `querySelector` returns the elements in `Parts`, never null. */
type Holding<Parts> = { querySelector: FindIn<Parts> } & HTMLElement;
type FindIn<Parts> = <Selector extends keyof Parts>(selector: Selector) => Parts[Selector];

/** The elements of canvas/page.html that the scripts use. */
export interface Parts {
  "#about": HTMLDialogElement;
  "#about-card": HTMLElement;
  "#about-close": HTMLButtonElement;
  "#about-facts": HTMLDListElement;
  "#about-name": HTMLElement;
  "#about-open": HTMLButtonElement;
  "#about-right": HTMLElement;
  "#answer": HTMLElement;
  "#bars": HTMLOListElement;
  "#big": HTMLElement;
  "#camera": HTMLButtonElement;
  "#canvas": HTMLCanvasElement;
  "#clear": HTMLButtonElement;
  "#copy": HTMLButtonElement;
  "#crop": HTMLCanvasElement;
  "#crop-frame": HTMLElement;
  "#crop-part": HTMLButtonElement;
  "#cropper": HTMLElement;
  "#cursor": HTMLElement;
  "#detail": HTMLElement;
  "#download": HTMLButtonElement;
  "#eraser": HTMLButtonElement;
  "#examples": HTMLElement;
  "#feedback": HTMLDialogElement;
  "#feedback-close": HTMLButtonElement;
  "#feedback-digits": HTMLElement;
  "#feedback-form": HTMLFormElement;
  "#feedback-none": HTMLButtonElement;
  "#feedback-number": HTMLTextAreaElement;
  "#feedback-said": HTMLElement;
  "#file": HTMLInputElement;
  "#legend": HTMLElement;
  "#marks": HTMLElement;
  "#paper": HTMLElement;
  "#pen": HTMLButtonElement;
  "#photo": HTMLInputElement;
  "#photo-tools": HTMLElement;
  "#prompt": HTMLElement;
  "#recognise": HTMLButtonElement;
  "#redo": HTMLButtonElement;
  "#shoot": HTMLDialogElement;
  "#shoot-cancel": HTMLButtonElement;
  "#shoot-take": HTMLButtonElement;
  "#spoken": HTMLElement;
  "#table": HTMLElement;
  "#table-cells": HTMLElement;
  "#table-copy": HTMLButtonElement;
  "#table-download": HTMLButtonElement;
  "#table-said": HTMLElement;
  "#theme": HTMLButtonElement;
  "#tiles": HTMLElement & { firstElementChild: HTMLElement };
  "#took": HTMLElement;
  "#trouble": HTMLElement;
  "#turn-left": HTMLButtonElement;
  "#turn-right": HTMLButtonElement;
  "#undo": HTMLButtonElement;
  "#upload": HTMLButtonElement;
  "#verdict": HTMLElement;
  "#video": HTMLVideoElement & { srcObject: MediaStream | null };
  "#why": HTMLButtonElement;
  "#width": HTMLInputElement;
  "#wrong": HTMLButtonElement;
  ".digits": HTMLElement;
  ".dot": HTMLElement;
}

export type Page = Holding<Parts>;
export type Find = FindIn<Parts>;

/** One of the ten rows with the probability of a digit. */
export type Bar = Holding<{ i: HTMLElement; ".percent": HTMLElement }>;
