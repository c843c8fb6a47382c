import { imageForm } from './image-form.ts';

/** Pictures like a picture. */
export const imageVariations = imageForm('image_variations', '/images/variations');
