from django import forms

from visitors.models import Entry


class EntryForm(forms.ModelForm):
    class Meta:
        model = Entry
        fields = ("name", "message")
        widgets = {
            "name": forms.TextInput(attrs={"placeholder": "Ada", "autocomplete": "name"}),
            "message": forms.Textarea(attrs={"rows": 4, "placeholder": "I was here"}),
        }


class UploadForm(forms.Form):
    file = forms.FileField(label="Any file, also a big one", allow_empty_file=True)
