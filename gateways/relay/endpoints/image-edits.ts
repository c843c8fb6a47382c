import { imageForm } from './image-form.ts';

/** A picture changed as words say. */
export const imageEdits = imageForm('image_edits', '/images/edits');
